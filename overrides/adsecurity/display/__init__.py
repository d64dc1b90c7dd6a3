"""What people see at a prompt, in a notebook and in a terminal: tables of rows, and bars for what takes its time.

Nothing here asks the server for anything. Secrets are masked, and text of the server is escaped.
"""
