"""What people see: the wording of every screen, the sanitiser of foreign text, and the terminal itself."""
