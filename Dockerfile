# The standalone service: docker build -t serverless-websocket .
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /standalone ./functions/standalone
RUN mkdir /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /standalone /standalone
# The service keeps messages in the directory data of the one that it runs in.
COPY --from=build --chown=nonroot:nonroot /data /data
WORKDIR /
VOLUME /data
# Only ports published with -p can be reached. The @connections API stays private.
ENV SWS_WS_ADDR=:3001 SWS_HTTP_ADDR=:3000
EXPOSE 3001 3000
HEALTHCHECK --interval=10s --timeout=5s CMD ["/standalone", "-health"]
ENTRYPOINT ["/standalone"]
