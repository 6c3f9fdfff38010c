"""Pauses, resumes and warms Hugging Face Inference Endpoints, so that they run when somebody needs them."""
