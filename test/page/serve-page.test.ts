import { pino } from 'pino'
import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { type StatusServer, startStatusServer } from '../../src/telemetry/index.js'
import { ManualClock } from '../support/manual-clock.js'

const ROLES = ['validator', 'miner', 'hub', 'localnet'] as const

describe('the page of a role', () => {
  let server: StatusServer | undefined
  afterEach(async () => {
    await server?.close()
    server = undefined
  })

  async function start(role: (typeof ROLES)[number] = 'validator'): Promise<string> {
    server = await startStatusServer({
      port: 0,
      log: pino({ level: 'silent' }),
      live: () => true,
      ready: () => undefined,
      status: () => ({ block: 1 }),
      page: { role, clock: new ManualClock(), read: () => ({ status: { block: 1 } }), rowKeys: {} },
    })
    return server.url
  }

  it.each(ROLES)('of a %s loads files of its own server only', async (role) => {
    const url = await start(role)
    const answer = await fetch(url)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "img-src 'self' data:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ])
    const text = await answer.text()
    const links = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link]) => link ?? '')
    expect(links.filter((link) => !/^(\/[a-z]|#|data:,$)/.test(link))).toEqual([])
    expect(text).not.toMatch(/<script(?! (src|type="module" src)=)|<style|style=|\son\w+=/)
  })

  it.each(ROLES)(
    'of a %s has the frame of all pages, and the sections and the script of its own',
    async (role) => {
      const text = await (await fetch(await start(role))).text()
      expect(text).not.toContain('{{')
      expect(text).toContain(`<title>Targon ${role}</title>`)
      expect(text).toContain(`src="/page/browser/${role}.js"`)
      for (const id of ['title', 'identity', 'connection', 'alerts', 'figures', 'unavailable'])
        expect(text.split(`id="${id}"`), id).toHaveLength(2)
      const ids = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
      for (const [, target = ''] of text.matchAll(/(?:href="#|aria-labelledby=")([^"]+)"/g))
        expect(ids, target).toContain(target)
    },
  )

  it('says by their type what its styles and plots are', async () => {
    const url = await start()
    const types = await Promise.all(
      ['page.css', 'uplot.css', 'uplot.js'].map(async (name) => {
        const answer = await fetch(`${url}/page/${name}`)
        await answer.arrayBuffer()
        return [
          answer.status,
          answer.headers.get('content-type'),
          answer.headers.get('x-content-type-options'),
        ]
      }),
    )
    const [css, js] = ['text/css; charset=utf-8', 'text/javascript; charset=utf-8']
    expect(types).toEqual([css, css, js].map((type) => [200, type, 'nosniff']))
  })

  it.each(['/page/../package.json', '/page/browser/%2e%2e/%2e%2e/package.json', '/page/assets.js', '/page/'])(
    'serves no file outside its list: %s',
    async (path) => {
      const url = await start()
      const answer = await request(`${url}${path}`)
      await answer.body.dump()
      expect(answer.statusCode).toBe(404)
    },
  )

  it('sends its events, and ends them when the server closes', async () => {
    const url = await start()
    const answer = await request(`${url}/events`)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    })
    const text = answer.body.text().catch((error: unknown) => String(error))
    await server?.close()
    server = undefined
    expect(await text).toContain('event: snapshot')
  })

  it('refuses the events to a page of another origin', async () => {
    const url = await start()
    const answer = await request(`${url}/events`, { headers: { origin: 'https://evil.example' } })
    await answer.body.dump()
    expect(answer.statusCode).toBe(403)
  })
})
