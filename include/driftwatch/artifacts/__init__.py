"""What a day and a model leave behind: keys, and what the files hold."""
