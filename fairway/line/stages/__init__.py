"""Steps of the line that run as processes of their own, so that the caller stays light."""
