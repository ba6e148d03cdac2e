import type { FastifyInstance } from 'fastify'
import type { Clock, Log } from '../kernel/index.js'
import { listAssets } from './assets.js'
import type { LiveDocument, RowKeys } from './document-change.js'
import { LiveEvents } from './live-events.js'
import type { PageRole } from './skeleton.js'

export interface PageOptions {
  readonly role: PageRole
  readonly clock: Clock
  /** What the page shows, by the name of each document. */
  readonly read: () => LiveDocument
  readonly rowKeys: RowKeys
}

export interface ServedPage {
  /** Ends the streams of open pages. */
  close(): void
}

/** The page loads nothing from elsewhere and cannot be framed; scripts and styles are files of this server only. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // a new release replaces the files, and they are small
  'cache-control': 'no-cache',
} as const

/** Serves the page at `/`, its files below `/page/` and its events at `/events`. */
export function servePage(server: FastifyInstance, options: PageOptions & { readonly log: Log }): ServedPage {
  const { role, log } = options
  const live = new LiveEvents(options)
  for (const [path, asset] of listAssets(role)) {
    server.get(path, async (_, reply) => {
      try {
        return await reply
          .headers(PAGE_HEADERS)
          .type(asset.type)
          .send(await asset.read())
      } catch (error) {
        log.warn({ event: 'page-file-missing', path, err: error }, 'a file of the live page cannot be read')
        return reply.code(404).send({ detail: 'This file of the page is not built: run npm run build.' })
      }
    })
  }
  server.get('/events', async (_, reply) => {
    if (!live.connect(reply.raw)) {
      return reply
        .code(503)
        .header('retry-after', '30')
        .send({ detail: 'Too many live pages are open: close one and try again.' })
    }
    reply.hijack()
    return reply
  })
  return { close: () => live.close() }
}
