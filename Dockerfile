# syntax=docker/dockerfile:1

FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM node:26-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM node:26-slim
LABEL org.opencontainers.image.title="lazyferry" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production \
    LAZYFERRY_DATA=/data \
    LAZYFERRY_LISTEN=0.0.0.0:8080
WORKDIR /app
# All of it belongs to root: the process can read its program, not change it. Only /data is its own, so the root file
# system may be mounted read-only.
COPY --from=dependencies /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
COPY config config
RUN install --directory --owner=node --group=node --mode=0700 /data
VOLUME /data
# By number, so that Kubernetes can see that it is not root (runAsNonRoot): the image's user `node`.
USER 1000:1000
EXPOSE 8080
# The admin listener stays on the container's own loopback: health is asked from inside. Node asks, because a slim image
# holds no curl.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
# Run it with `docker run --init`: as process 1, Node would leave orphans unreaped.
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve"]
