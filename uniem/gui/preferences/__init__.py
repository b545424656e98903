"""What the user chooses about keys, mouse, looks, memory and folders."""
