"""Damaged and strange files of every format, opened one by one in processes of their own."""
