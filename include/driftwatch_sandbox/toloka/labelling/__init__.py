"""The page where people of the team take tasks of open pools, as any other worker of the exchange does."""
