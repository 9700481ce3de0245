# SPDX-License-Identifier: Apache-2.0
# Runs the tests, then the demo, on a plain Swift image:
#   docker build -t muxnet . && docker run --rm muxnet
FROM swift:6.3-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends make pkg-config python3-pip unzip \
      libjpeg-dev libpng-dev zlib1g-dev libsqlite3-dev libpq5 \
      libwebp-dev libgif-dev libtiff-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /muxnet
COPY . .
RUN make test
CMD ["make", "demo"]
