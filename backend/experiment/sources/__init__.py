"""Files that data sets are read from: found, listed, checked. Without torch; opens no picture."""
