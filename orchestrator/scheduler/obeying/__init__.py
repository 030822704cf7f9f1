"""What people ask for becomes events and a reply. Pure."""
