import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { request } from 'undici'
import { systemClock } from '../../src/kernel/clock.js'
import {
  defaultLimits,
  type Outcome,
  type Router,
  type RoutingLimits,
  readRequest,
  startRouter,
  type UpstreamSettings,
} from '../../src/routing/index.js'
import { type FakeVllm, startFakeVllm } from './fake-vllm.js'
import type { ManualClock } from './manual-clock.js'

export const BODY = JSON.stringify({ model: 'org/model', stream: true })

export const settingsOf = (url: string, changes: Partial<UpstreamSettings> = {}): UpstreamSettings => ({
  url,
  apiKey: undefined,
  weight: 1,
  maxInFlight: 100,
  models: [],
  aliases: {},
  addTokenIds: false,
  ...changes,
})

/** Starts model servers and routers and closes them in reverse order. */
export function createRouterRig() {
  const open: { close(): Promise<unknown> }[] = []

  async function vllm(...args: Parameters<typeof startFakeVllm>): Promise<FakeVllm> {
    const fake = await startFakeVllm(...args)
    open.push(fake)
    return fake
  }

  /** A real router behind a bare HTTP server without admission. */
  async function serve(
    upstreams: UpstreamSettings[],
    changes: Partial<RoutingLimits> = {},
    clock = systemClock as typeof systemClock | ManualClock,
  ) {
    const router: Router = await startRouter({
      clock,
      log: pino({ level: 'silent' }),
      upstreams,
      limits: { ...defaultLimits, ...changes },
      random: () => 0.5,
    })
    const outcomes: Outcome[] = []
    const waiting: ((outcome: Outcome) => void)[] = []
    const counts = { arrived: 0 }
    const server = createServer(async (incoming, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk)
      const body = Buffer.concat(chunks)
      counts.arrived++
      const outcome = await router.forward({
        path: '/chat/completions',
        ...readRequest(body)!,
        body,
        response,
      })
      outcomes.push(outcome)
      waiting.shift()?.(outcome)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    open.push({
      close: async () => {
        await router.close()
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      },
    })
    return {
      counts,
      router,
      url,
      outcomes,
      nextOutcome: () => new Promise<Outcome>((resolve) => waiting.push(resolve)),
      post: (body = BODY) => request(url, { method: 'POST', body }),
    }
  }

  return {
    vllm,
    serve,
    /** Closes this after the test, too. */
    add: (one: { close(): Promise<unknown> }) => void open.push(one),
    close: async () => {
      for (const one of open.splice(0).reverse()) await one.close()
    },
  }
}
