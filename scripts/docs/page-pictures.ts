// npm run docs:page: runs a subnet with a hub and takes docs/page-validator.png, docs/page-miner.png and docs/page-hub.png from its
// pages. Needs a build and Debian's chromium; run it on a quiet machine.
import { writeFileSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { systemClock } from '../../src/kernel/index.js'
import { runLocalnet } from '../../src/localnet/index.js'
import { readmeNetwork } from './readme-network.js'

/** Epochs before the pictures, so that weights can be compared with those before. */
const EPOCHS = 3
/** In CSS pixels. */
const [WIDTH, MARGIN] = [1000, 20]
const docs = new URL('../../docs/', import.meta.url)
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())

interface Parts {
  readonly validator: { readonly page: string }
  readonly hub: { readonly page: string } | null
  readonly miners: readonly { readonly name: string; readonly hotkey: string; readonly page: string }[]
}

interface Picture {
  readonly url: string
  readonly name: string
  readonly colorScheme: 'light' | 'dark'
  /** The section that ends the picture, however many alerts stand above it. */
  readonly last: string
}

async function take(browser: Browser, { url, name, colorScheme, last }: Picture): Promise<void> {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 760 }, colorScheme })
  await page.goto(url)
  await page.locator('tbody tr').first().waitFor()
  // the plots of a page that opens have a second of their own
  await page.waitForTimeout(5000)
  const { y = 0, height = 0 } = (await page.locator(last).boundingBox()) ?? {}
  await page.setViewportSize({ width: WIDTH, height: Math.ceil(y + height + MARGIN) })
  writeFileSync(new URL(name, docs), await page.screenshot())
  await page.close()
}

async function takeAll(localnetUrl: string): Promise<void> {
  const { validator, hub, miners } = (await (await fetch(`${localnetUrl}/status`)).json()) as Parts
  const fast = miners.find(({ name }) => name === 'honest-fast')
  if (!fast) throw new Error('the localnet has no miner honest-fast')
  if (!hub) throw new Error('the localnet has no hub')
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  try {
    await take(browser, {
      ...{ url: validator.page, name: 'page-validator.png', colorScheme: 'light', last: '#board' },
    })
    await take(browser, {
      ...{ url: fast.page, name: 'page-miner.png', colorScheme: 'dark', last: '#plots' },
    })
    await take(browser, {
      ...{ url: hub.page, name: 'page-hub.png', colorScheme: 'light', last: '#miners-table' },
    })
  } finally {
    await browser.close()
  }
}

let pageUrl: string | undefined
let taking: Promise<void> | undefined
await runLocalnet(
  { ...readmeNetwork(), hub: true },
  {
    clock: systemClock,
    signal: stop.signal,
    onProgress: (line) => {
      console.error(line)
      pageUrl ??= /^page of this subnet: (\S+)\/$/.exec(line)?.[1]
    },
    onSnapshot: ({ epochs }) => {
      if (epochs < EPOCHS || pageUrl === undefined) return
      taking ??= takeAll(pageUrl).finally(() => stop.abort())
    },
    onEnd: () => {},
  },
)
await taking
