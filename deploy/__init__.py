"""Where the services run: the embedded stack (``local``) and Kubernetes (``k8s``)."""
