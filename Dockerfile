# nearhub in a container: what tools/run builds, in a small image, as an unprivileged user.
#
#   docker build -t nearhub .
#   docker run -p 8883:8883 -p 443:443 -v nearhub:/var/lib/nearhub nearhub --host hub.local.test
#
# The CA that clients need is in the volume: docker run --rm -v nearhub:/d debian:bookworm-slim cat /d/ca.pem

FROM debian:bookworm-slim AS build
WORKDIR /src
COPY tools/install tools/install
RUN tools/install run
COPY . .
RUN cmake --preset release -DNEARHUB_TESTS=OFF && cmake --build --preset release --target nearhub && strip build/release/nearhub

FROM debian:bookworm-slim
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
       ca-certificates libuv1 libssl3 libsqlite3-0 libspdlog1.10 libfmt9 libcurl4 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/nearhub --shell /usr/sbin/nologin nearhub \
    && install -d -o nearhub -g nearhub -m 700 /var/lib/nearhub
COPY --from=build /src/build/release/nearhub /usr/local/bin/nearhub
COPY --from=build /src/LICENSE /usr/share/doc/nearhub/LICENSE
USER nearhub
ENV NEARHUB_DATA=/var/lib/nearhub
VOLUME /var/lib/nearhub
EXPOSE 8883 443
# In a container the unprivileged port start is 0 by default, so this user may listen on 443; where it is not, the hub takes 8443.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["nearhub", "status"]
ENTRYPOINT ["nearhub", "serve", "--bind", "0.0.0.0"]
