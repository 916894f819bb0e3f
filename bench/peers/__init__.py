"""Other gateways, set up as their users would, to be measured in turns with ours."""
