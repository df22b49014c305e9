# The CPU image: built on Debian 12, run without root on a slim Debian 12.
#
#   docker build -t inferd .
#   docker run -p 8000-8002:8000-8002 -v /path/to/models:/models:ro inferd
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
ENV DEBIAN_FRONTEND=noninteractive
COPY deploy/packages/build.txt /tmp/build.txt
RUN apt-get update -qq \
    && grep -v '^#' /tmp/build.txt | xargs apt-get install -y -qq --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cmake --preset release -DINFERD_TESTS=OFF \
    && cmake --build --preset release --target inferd inferd-loadtest \
    && mkdir -p /out/bin /out/lib \
    && cp build/release/bin/inferd build/release/bin/inferd-loadtest /out/bin/ \
    && cp build/release/lib/libinferd_*.so /out/lib/ \
    && strip /out/bin/* /out/lib/*

FROM ${BASE}
ENV DEBIAN_FRONTEND=noninteractive
COPY deploy/packages/runtime.txt /tmp/runtime.txt
RUN apt-get update -qq \
    && grep -v '^#' /tmp/runtime.txt | xargs apt-get install -y -qq --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /tmp/runtime.txt \
    && useradd --system --uid 1000 --no-create-home --shell /usr/sbin/nologin inferd \
    && mkdir /models
COPY --from=build /out/ /usr/local/
USER 1000
EXPOSE 8000 8001 8002
# bash speaks HTTP well enough to ask for liveness; the image has no curl.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8002 && printf 'GET /v2/health/live HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["/usr/local/bin/inferd"]
CMD ["serve", "--model-repository", "/models", "--address", "0.0.0.0"]
