"""What the operator does: sets up accounts, numbers, carriers and routes, gives credits, looks after parked MOs."""
