"""What happens below the server: its writes recorded, its disk full or failing, its power gone, its clock set."""
