"""The steps of cleaning, a file each; `recipe.py` names them."""
