"""What a release needs: the summary of what changed for users, and the packages for other code bases (vendoring).

`summary` and `vendoring` are commands; no other room uses this one.
"""
