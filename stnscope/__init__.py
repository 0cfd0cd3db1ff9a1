"""Watch a Spatial Transformer Network learn where to look.

The subpackages are links to the folders `models`, `backend`, `dashboard` and `access`.
"""
