"""The rows of the table: each module measures one figure or a family of them and returns what it found."""
