"""Speed and memory, side by side with the best library for each job."""
