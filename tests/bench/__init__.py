"""How fast it is: measured against floors and peers in the same minutes on the same cores. `make bench` runs it all."""
