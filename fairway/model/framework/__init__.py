"""One module per form of model; each imports its framework only inside, when it loads one."""
