# The environment of requirements.lock and the checkout in one image (docs/install.md):
#   docker build --tag trml .
#   docker run --rm --volume trml-work:/trml/work --volume trml-results:/trml/results trml
FROM python:3.11-slim-bookworm

# DVC and Snakemake call git.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*

# Who owns the results: --build-arg USER_ID="$(id -u)" where a folder of the host is mounted.
ARG USER_ID=1000
RUN useradd --create-home --uid "$USER_ID" trml && install --directory --owner trml /trml /trml/work /trml/results
WORKDIR /trml

# Where else pip looks for packages, such as builds of torch without CUDA: --build-arg PIP_EXTRA_INDEX_URL=... or
# PIP_FIND_LINKS=... First the lock alone, so that a change of source installs nothing again.
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
COPY requirements.lock ./
RUN pip install --no-cache-dir --requirement requirements.lock

COPY --chown=trml . ./
RUN pip install --no-cache-dir --no-deps --editable .

USER trml
CMD ["snakemake", "--cores", "all"]
