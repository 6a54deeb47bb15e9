# The image of the operator: docker build -t ghcr.io/meshctl/meshctl:0.1.0 .
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --profile dist --locked --bin meshctl

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/dist/meshctl /usr/local/bin/meshctl
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/meshctl"]
