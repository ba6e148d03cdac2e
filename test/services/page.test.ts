import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.js'
import { type StatusServer, startStatusServer } from '../../src/telemetry/index.js'
import { hotkeyOfPage, hubStatusOf, minerStatusOf, validatorStatusOf } from '../support/page-documents.js'

// A real browser on pages whose documents the test decides. Their scripts are those of the build.
const CHROMIUM = '/usr/bin/chromium'
const axe = fileURLToPath(import.meta.resolve('axe-core/axe.min.js'))
const isBuilt = existsSync(fileURLToPath(new URL('../../dist/page/browser/validator.js', import.meta.url)))
const reason = !existsSync(CHROMIUM)
  ? `there is no ${CHROMIUM}`
  : isBuilt
    ? undefined
    : 'run npm run build first'
if (reason !== undefined) console.warn(`page.test.ts is skipped: ${reason}`)

type Documents = Readonly<Record<string, Readonly<Record<string, unknown>>>>

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true } as const
const ROW_KEYS = {
  // a hub's traffic has another key, and is small enough to be sent whole
  status: { miners: 'hotkey', upstreams: 'url', callers: 'hotkey', wanted: 'hotkey', keys: 'id' },
  rounds: { rounds: 'round' },
  series: { samples: 'at' },
}

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString()
const roundOf = (round: number) => ({
  ...{ round, block: 900 + round, at: at(round * 10), model: 'org/a', endpoint: 'chat' },
  outcomes: [
    { uid: 1, hotkey: hotkeyOfPage(1), kind: 'verified', cause: null, tokens: 9, tokensPerSecond: 61 },
    { uid: 3, hotkey: hotkeyOfPage(3), kind: 'failed', cause: 'OVERFIT', tokens: 9, tokensPerSecond: 0 },
  ],
})
const resultOf = (round: number) => ({
  ...{
    at: at(round * 10),
    round,
    block: 900 + round,
    model: 'org/a',
    tokens: 96,
    timeToFirstTokenMs: 40 + round,
  },
  ...(round % 4 === 0
    ? { kind: 'failed', cause: 'OVERFIT', detail: '<img src=x onerror=alert(1)>', tokensPerSecond: 0 }
    : { kind: 'verified', cause: null, detail: null, tokensPerSecond: 60 + round }),
})
const samples = Array.from({ length: 40 }, (_, index) => ({
  ...{ at: at(index * 5), requests: index, answered: index, refused: 0, failed: 0, abandoned: 0 },
  ...{ inFlight: 1, tokensPerSecond: 100 + index, firstByteMs: 40 },
}))

const hubSamples = samples.map(({ at, requests, inFlight }, index) => ({
  ...{ at, requests, answered: requests, refused: 0, failed: 0, left: 0, failovers: index % 2, hedges: 0 },
  ...{ inFlight, tokensPerSecond: 80 + index, firstTokenMs: 50 },
}))

describe.skipIf(reason !== undefined)('the live page in a browser', () => {
  let browser: Browser
  let server: StatusServer | undefined
  let documents: Documents
  /** What a page must not do: errors, failed loads, requests to another place. */
  let complaints: string[]

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    })
  })
  afterAll(async () => {
    await browser?.close()
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
    await server?.close()
    server = undefined
  })

  async function serve(
    role: 'validator' | 'miner' | 'hub' | 'localnet',
    first: Documents,
    port = 0,
  ): Promise<string> {
    documents = first
    server = await startStatusServer({
      ...{ port, log: pino({ level: 'silent' }), live: () => true, ready: () => undefined },
      status: () => documents.status,
      documents: {
        results: async () => ({
          uid: 3,
          hotkey: hotkeyOfPage(3),
          results: Array.from({ length: 12 }, (_, i) => resultOf(i)),
        }),
      },
      page: { role, clock: systemClock, read: () => documents, rowKeys: ROW_KEYS },
    })
    return server.url
  }

  async function open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    complaints = []
    const context = await browser.newContext(options)
    const page = await context.newPage()
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) complaints.push(request.url())
    })
    await page.goto(url)
    await expect.poll(() => textOf(page, '#connection')).toBe('Live')
    return page
  }

  const textOf = async (page: Page, selector: string) => (await page.locator(selector).textContent()) ?? ''
  const rowsOf = (page: Page, host: string) =>
    page
      .locator(`${host} tbody tr`)
      .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')))

  /** What axe finds wrong, as `rule: element`. */
  async function accessibilityFaults(page: Page): Promise<string[]> {
    // Through the debugger's protocol, which the page's policy on scripts does not concern.
    await page.addInitScript({ path: axe })
    await page.reload()
    await expect.poll(() => textOf(page, '#connection')).toBe('Live')
    return page.evaluate(async () => {
      const { axe: checker } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
      }
      const { violations } = await checker.run()
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`))
    })
  }

  const validator = (size = 9) => ({
    status: validatorStatusOf(size),
    rounds: { rounds: [roundOf(1), roundOf(2)] },
  })

  it('of a validator shows board, rounds, weights and engines', async () => {
    const page = await open(await serve('validator', validator()))
    await expect.poll(() => rowsOf(page, '#board-table')).toHaveLength(9)
    const board = await rowsOf(page, '#board-table')
    expect(board.map(([uid]) => uid)).toEqual(['1', '2', '4', '5', '7', '8', '3', '6', '9'])
    expect(board[6]?.slice(2, 7)).toEqual(['10 % of 10', '53.0', '0.000', '0', 'barred'])
    const rounds = await rowsOf(page, '#rounds-table')
    expect(rounds[0]).toEqual(['2', '00:00:20', '902', 'org/a', 'chat', '1', '61.0', '3 (OVERFIT)', '–'])
    const weights = await rowsOf(page, '#weights-table')
    expect(weights[0]?.slice(2)).toEqual(['100', '65475', '+65375'])
    expect(weights.at(-1)?.slice(2)).toEqual(['100', '0', '-100'])
    expect(await rowsOf(page, '#engines-table')).toContainEqual([
      'org/b',
      'not ready',
      'nothing answers',
      'Start it.',
    ])
    const figures = await textOf(page, '#figures')
    for (const text of ['80 blocks', '280 blocks ago', '1 of 2', 'local, subnet 4', 'agrees with the chain'])
      expect(figures).toContain(text)
    expect(await page.locator('#alerts').isVisible()).toBe(false)
    expect(complaints).toEqual([])
  })

  it('follows what happens without being asked', async () => {
    const page = await open(await serve('validator', validator()))
    const status = validatorStatusOf(9, 1001)
    const miners = status.miners.map((miner) => (miner.uid === 9 ? { ...miner, score: 5000 } : miner))
    const sentence = 'Weights are late.'
    const next = 'Look at the chain endpoints.'
    documents = {
      status: {
        ...status,
        miners: miners.slice(1),
        alerts: [{ id: 'weights-late', severity: 'error', sentence, next, since: at(0) }],
      },
      rounds: { rounds: [roundOf(1), roundOf(2), roundOf(3)] },
    }
    await expect
      .poll(async () => (await rowsOf(page, '#board-table')).map(([uid]) => uid))
      .toEqual([...['9', '2', '4', '5', '7', '8', '3', '6']])
    expect((await rowsOf(page, '#rounds-table'))[0]?.[0]).toBe('3')
    expect(await textOf(page, '#figures')).toContain('79 blocks')
    await expect
      .poll(() => page.locator('#alert-list').textContent())
      .toBe(`error: ${sentence} ${next} Since 2026-01-01 00:00:00 UTC.`)
    expect(complaints).toEqual([])
  })

  it('connects again after a restart of the node', async () => {
    const url = await serve('validator', validator())
    const page = await open(url)
    await server?.close()
    await expect.poll(() => textOf(page, '#connection')).toContain('Not connected since')
    await serve(
      'validator',
      { ...validator(), status: validatorStatusOf(4, 2000) },
      Number(new URL(url).port),
    )
    await expect.poll(() => textOf(page, '#connection')).toBe('Live')
    await expect.poll(() => rowsOf(page, '#board-table')).toHaveLength(4)
  })

  it('shows one miner with plots and their numbers, and text of a miner as text', async () => {
    const page = await open(await serve('validator', validator()))
    await page
      .locator('#board-table tbody a', { hasText: hotkeyOfPage(3).slice(-4) })
      .first()
      .click()
    await expect.poll(() => textOf(page, '#miner-title')).toBe('Miner uid 3')
    expect(await page.evaluate('document.activeElement.id')).toBe('miner-title')
    await expect.poll(() => page.locator('#miner canvas').count()).toBe(2)
    await page.locator('#miner summary').first().click()
    const numbers = await rowsOf(page, '#miner figure:first-of-type details')
    expect(numbers[0]).toEqual(['01-01 00:01:50', '71.0', '–'])
    expect(numbers[3]).toEqual(['01-01 00:01:20', '–', '0'])
    const text = await textOf(page, '#miner-body')
    expect(text).toContain('<img src=x onerror=alert(1)>')
    expect(text).toContain('differ from the model')
    await page.locator('#miner-close').click()
    expect(await page.locator('#miner').isVisible()).toBe(false)
    expect(complaints).toEqual([])
  })

  it('can be sorted and filtered by keyboard', async () => {
    const page = await open(await serve('validator', validator()))
    const head = page.locator('#board-table th', { hasText: 'tokens/s' })
    await head.locator('button').focus()
    await page.keyboard.press('Enter')
    expect(await head.getAttribute('aria-sort')).toBe('descending')
    await expect.poll(async () => (await rowsOf(page, '#board-table'))[0]?.[0]).toBe('9')
    await page.keyboard.press('Enter')
    expect(await head.getAttribute('aria-sort')).toBe('ascending')
    await page.locator('#filter').fill('barred')
    await expect.poll(async () => (await rowsOf(page, '#board-table')).map(([uid]) => uid)).toEqual(['3'])
    await page.locator('#filter').fill('7')
    await expect.poll(async () => (await rowsOf(page, '#board-table')).map(([uid]) => uid)).toEqual(['7'])
  })

  it('of a miner shows callers, models, model servers, refusals and what is wanted', async () => {
    const page = await open(
      await serve('miner', { status: minerStatusOf(), series: { intervalMs: 5000, samples } }),
    )
    expect((await rowsOf(page, '#traffic-table'))[0]?.slice(2)).toEqual([
      'org/a',
      '5',
      '0',
      '0',
      '0',
      '41',
      '90',
    ])
    expect((await rowsOf(page, '#callers-table')).map((row) => [row[0], row[2], row[4], row[5]])).toEqual([
      ['7', '5', '00:10:00', '–'],
      ['8', '0', '–', 'STALE 2'],
    ])
    expect((await rowsOf(page, '#upstreams-table'))[0]).toContain('812.5')
    expect(await rowsOf(page, '#refusals-table')).toEqual([['STALE', '2', '100 %']])
    expect(await rowsOf(page, '#models-table')).toEqual([
      ['org/missing', '1', 'not served: requests for it count as misses'],
      ['org/a', '1', 'served'],
    ])
    expect(await page.locator('#plots canvas').count()).toBe(3)
    documents = { ...documents, status: minerStatusOf(6) }
    await expect.poll(async () => (await rowsOf(page, '#traffic-table'))[0]?.[3]).toBe('6')
    expect(complaints).toEqual([])
  })

  it('of a hub shows requests by model, miners, keys and what validators reported', async () => {
    const page = await open(await serve('hub', pages.hub))
    expect((await rowsOf(page, '#traffic-table'))[0]).toEqual([
      ...['org/a', '5', '1', '0', '0', '2', '1', '52', '140', '60.2', '1\u202f000'],
    ])
    const miners = await rowsOf(page, '#miners-table')
    expect(miners.map((row) => [row[0], row[3], row[5], row[11]])).toEqual([
      ['1', '100 %', '98 %', 'asked'],
      ['2', '0 %', '70 %', 'left out after failures'],
      ['3', '–', '–', 'does not list its models: connection refused'],
    ])
    expect((await rowsOf(page, '#keys-table')).map((row) => row.slice(0, 5))).toEqual([
      ['<b>alice', 'key_1', '950 of 1\u202f000', '950', '5 %'],
      ['bob', 'key_2', '50', '50', '–'],
    ])
    expect(await textOf(page, '#other-keys')).toBe('2 more keys have used 7 tokens today.')
    expect((await rowsOf(page, '#reports-table')).map((row) => [row[0], row[3], row[5]])).toEqual([
      ['7', '27', '90 %'],
      ['–', '1', '100 %'],
    ])
    expect(await rowsOf(page, '#errors-table')).toContainEqual(['model_not_found', '3'])
    expect(await textOf(page, '#organics')).toContain('40 requests with their answers are kept (2.0 MiB).')
    // the last twelve samples of 40 that rise by one
    expect(await textOf(page, '#figures')).toContain('requests per minute402')
    expect(await page.locator('#plots canvas').count()).toBe(4)
    documents = { ...documents, status: hubStatusOf(6) }
    await expect.poll(async () => (await rowsOf(page, '#traffic-table'))[0]?.[1]).toBe('6')
    expect(complaints).toEqual([])
  })

  const pages = {
    validator: validator(),
    miner: { status: minerStatusOf(), series: { intervalMs: 5000, samples } },
    hub: { status: hubStatusOf(), series: { intervalMs: 5000, samples: hubSamples } },
    localnet: {
      status: {
        hub: { url: 'http://127.0.0.1:8080', page: 'http://127.0.0.1:4003' },
        ...{ role: 'localnet', chainUrl: 'ws://127.0.0.1:9944', block: 31, epochBlocksLeft: 29, epochs: 2 },
        validator: { uid: 0, hotkey: hotkeyOfPage(0), rounds: 4, page: 'http://127.0.0.1:4001' },
        miners: [
          {
            ...{
              uid: 1,
              name: 'honest-fast',
              hotkey: hotkeyOfPage(1),
              behaviour: 'honest',
              models: ['org/a'],
            },
            ...{ verified: 3, failed: {}, tokensPerSecond: 158.2, score: 157.1, evidence: 'clean' },
            ...{ accusation: null, weightU16: 65535, page: 'http://127.0.0.1:4002' },
          },
        ],
      },
    },
  } as const

  it('of a localnet leads to the pages of its parts', async () => {
    const page = await open(await serve('localnet', pages.localnet))
    await expect.poll(() => rowsOf(page, '#miners-table')).toHaveLength(1)
    expect((await rowsOf(page, '#miners-table'))[0]?.slice(1, 5)).toEqual([
      'honest-fast',
      'honest',
      '100 % of 3',
      '158.2',
    ])
    expect(await page.locator('#miners-table tbody a').getAttribute('href')).toBe('http://127.0.0.1:4002')
    expect(await page.locator('#validator-link').getAttribute('href')).toBe('http://127.0.0.1:4001')
    expect(await page.locator('#hub-link').getAttribute('href')).toBe('http://127.0.0.1:4003')
    expect(complaints).toEqual([])
  })

  describe.each(['validator', 'miner', 'hub', 'localnet'] as const)('of a %s', (role) => {
    it.each(['light', 'dark'] as const)('has no fault that axe finds, %s', async (colorScheme) => {
      const page = await open(await serve(role, pages[role]), { colorScheme })
      expect(await accessibilityFaults(page)).toEqual([])
    })

    it('fits a phone: only tables scroll sideways', async () => {
      const page = await open(await serve(role, pages[role]), PHONE)
      await expect.poll(() => page.locator('tbody tr').count()).toBeGreaterThan(0)
      const beyond = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
      expect(await page.evaluate(beyond)).toBe(0)
      expect(complaints).toEqual([])
    })
  })

  it('shows as many rows as a subnet has neurons, and more when asked', async () => {
    const page = await open(await serve('validator', validator(1000)))
    const more = page.locator('#board-table > button')
    await expect.poll(() => page.locator('#board-table tbody tr').count()).toBe(256)
    expect(await more.textContent()).toBe('Show more: 744 are left')
    await more.click()
    await expect.poll(() => page.locator('#board-table tbody tr').count()).toBe(512)
    await page.locator('#filter').fill('999')
    await expect.poll(async () => (await rowsOf(page, '#board-table')).map(([uid]) => uid)).toEqual(['999'])
    expect(await more.isVisible()).toBe(false)
    expect(complaints).toEqual([])
  })

  it('keeps answering while 1,000 miners change', async () => {
    const page = await open(await serve('validator', validator(1000)))
    await expect.poll(() => page.locator('#board-table tbody tr').count()).toBe(256)
    const debug = await page.context().newCDPSession(page)
    // CPU time of the page's thread: what else runs on this machine does not lengthen it.
    await debug.send('Performance.enable', { timeDomain: 'threadTicks' })
    const cpuSeconds = async () => {
      const { metrics } = await debug.send('Performance.getMetrics')
      return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN
    }
    const beforeOpening = await cpuSeconds()
    await page.reload()
    await expect.poll(() => page.locator('#board-table tbody tr').count()).toBe(256)
    const opening = (await cpuSeconds()) - beforeOpening
    /** CPU time of the page until its board has been through six updates. */
    const measure = async (isChanging: boolean, from: number) => {
      const before = await cpuSeconds()
      for (let block = from; block < from + 6; block++) {
        const { miners, ...status } = validatorStatusOf(1000, block)
        // A round of 37 miners changes their scores, and with them the order of the board.
        const changed = miners.map((miner) =>
          isChanging && (miner.uid * 7 + block) % 27 === 0
            ? { ...miner, score: (miner.uid * 31 + block * 17) % 1000 }
            : miner,
        )
        documents = { status: { ...status, miners: changed }, rounds: { rounds: [roundOf(block)] } }
        await expect.poll(() => textOf(page, '#figures')).toContain(`${1080 - block} blocks`)
      }
      return (await cpuSeconds()) - before
    }
    const idle = await measure(false, 1001)
    const busy = await measure(true, 1010)
    // An update that drew everything again would cost what opening the page does.
    expect((busy - idle) / 6).toBeLessThan(opening / 3)
    expect(opening).toBeGreaterThan(0)
    expect(complaints).toEqual([])
  })
})
