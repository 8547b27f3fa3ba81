# One image for every role: docker run feedrank serve --roles api
#
# Base images are named by tag: their digests are a registry's to tell, and none was at hand to check them. To pin them:
#   docker buildx imagetools inspect golang:1.26
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
# What only a developer's machine runs is left out. (validator_novalidatefn: else a validator that we do not use calls
# methods by name, and the linker keeps every method of every type.)
RUN CGO_ENABLED=0 go build -tags production,validator_novalidatefn -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /feedrank .

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /feedrank /feedrank
COPY config/feedrank.yaml /etc/feedrank/feedrank.yaml
ENV FEEDRANK_CONFIG=/etc/feedrank/feedrank.yaml FEEDRANK_HTTP__ADDR=:8080
EXPOSE 8080
USER nonroot
ENTRYPOINT ["/feedrank"]
CMD ["serve"]
