"""The science: data sets, distortions, training, probe, frame, recording, picture, export."""
