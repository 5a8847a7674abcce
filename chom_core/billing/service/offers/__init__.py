"""What is for sale: plans, prices and their versions, coupons, trials."""
