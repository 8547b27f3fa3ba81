# One image for every role: docker run feedrank serve --roles api
#
# Images are named by tag until test/supply/pin.sh writes their digests, which a registry alone can tell, into this file
# and config/compose.yaml. The image that runs has no base: a binary, certificates, time zones.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
# What only a developer's machine runs is left out. (validator_novalidatefn: else a validator that we do not use calls
# methods by name, and the linker keeps every method of every type.)
RUN CGO_ENABLED=0 go build -tags production,validator_novalidatefn -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /feedrank .

FROM scratch
COPY --from=build /feedrank /feedrank
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /zoneinfo.zip
COPY config/feedrank.yaml /etc/feedrank/feedrank.yaml
ENV ZONEINFO=/zoneinfo.zip FEEDRANK_CONFIG=/etc/feedrank/feedrank.yaml FEEDRANK_HTTP__ADDR=:8080
EXPOSE 8080
USER 65532:65532
ENTRYPOINT ["/feedrank"]
CMD ["serve"]
