"""The only room that calls several rooms in a row: one public function per verb."""
