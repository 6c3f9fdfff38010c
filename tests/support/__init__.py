"""What tests share: values, test beds, processes."""
