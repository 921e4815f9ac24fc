"""The fictional demo round: an invented world, its classes and people, its planted cases."""
