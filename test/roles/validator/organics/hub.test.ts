import { createHash } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { verify } from '../../../../src/kernel/sr25519.js'
import { startFakeMiner } from '../../../support/fake-miner.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { type ReceivedRequest, startStreamServer } from '../../../support/stream-server.js'
import { createRig, MODEL } from '../validator-rig.js'

const open: { dispose?(): Promise<void>; close?(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await (thing.dispose?.() ?? thing.close?.())
})

/** Tokens ` w1`…` wN`, which the rig’s engine considers likely. */
function recordOf(uid: number, hotkey: string, overrides: object = {}) {
  const response = Array.from({ length: 8 }, (_, index) => ({
    choices: [
      {
        index: 0,
        delta: { content: ` w${index + 1}` },
        logprobs: { content: [{ token: `token_id:${index + 1}`, logprob: -0.1 }] },
        finish_reason: index === 7 ? 'length' : null,
      },
    ],
  }))
  return {
    ...{ id: 1, uid, hotkey, coldkey: 'cold', endpoint: 'CHAT', success: true, model_name: MODEL },
    ...{ total_time: 400, time_to_first_token: 50, response_tokens: 8 },
    request: {
      model: MODEL,
      max_tokens: 8,
      seed: 5,
      temperature: 0.5,
      messages: [{ role: 'user', content: 'hi' }],
    },
    response,
    ...overrides,
  }
}

async function startHub(answer: (path: string) => string | undefined) {
  // biome-ignore lint/suspicious/noExplicitAny: bodies of several shapes, each test knows its own
  const posts: { path: string; body: any; raw: ReceivedRequest }[] = []
  const waiting = new Set<() => void>()
  const hub = await startStreamServer((response, raw) => {
    posts.push({ path: raw.path, body: JSON.parse(raw.body.toString()), raw })
    for (const wake of [...waiting]) wake()
    const text = answer(raw.path)
    if (text !== undefined) response.end(text)
  })
  open.push(hub)
  const posted = (matches: (post: (typeof posts)[number]) => boolean) =>
    new Promise<(typeof posts)[number]>((resolve) => {
      const check = () => {
        const found = posts.find(matches)
        if (!found) return
        waiting.delete(check)
        resolve(found)
      }
      waiting.add(check)
      check()
    })
  return { url: hub.url, posts, posted }
}

test('judges users’ requests one by one, adds them to the organic mean of the miner, and reports them back', async () => {
  const miner = await startFakeMiner({ models: [MODEL] })
  open.push(miner)
  const { address } = await hotkeyOf(1)
  const bucket = {
    bucket_id: 'b_1',
    organics: {
      [MODEL]: [
        recordOf(1, address),
        recordOf(1, address, { total_time: -5 }),
        recordOf(1, address, { endpoint: 'EMBED' }),
        recordOf(9, address),
        recordOf(1, address, { success: false }),
      ],
    },
  }
  const hub = await startHub((path) => (path === '/organics' ? JSON.stringify(bucket) : '["",200]'))
  const rig = await createRig([miner], { 'hub.url': hub.url })
  open.push(rig)
  const validator = await rig.start()
  await rig.logged(({ event }) => event === 'validator-started')
  rig.chain.grow(101)
  expect(await rig.logged(({ event }) => event === 'organics-scored')).toMatchObject({
    records: 2,
    refused: 3,
    judged: 1,
  })
  const { body } = await hub.posted(({ path }) => path === '/organics/scores')
  expect(body.organics).toEqual([
    expect.objectContaining({
      uid: 1,
      verified: true,
      tps: 20,
      total_time: 400,
      tokens: [],
      total_tokens: 8,
    }),
  ])
  await validator.stop()
})

test('reports a round signed without a receiver, with the hub’s endpoint name and times in seconds', async () => {
  const miner = await startFakeMiner({ models: [MODEL] })
  open.push(miner)
  const hub = await startHub(() => '["",200]')
  const rig = await createRig([miner], { 'hub.url': hub.url })
  open.push(rig)
  const validator = await rig.start()
  const { body, raw } = await hub.posted(({ path }) => path === '/')
  expect(body.request.r_nanoid).toHaveLength(48)
  expect(['Endpoints.CHAT', 'Endpoints.COMPLETION']).toContain(body.request.request_endpoint)
  expect(body.responses[0]).toMatchObject({ uid: 1, stats: { verified: true, cause: null } })
  expect(body.responses[0].stats.total_time).toBeLessThan(5)
  expect(body.scores['1'][MODEL]).toHaveLength(1)
  expect(raw.headers['epistula-signed-for']).toBeUndefined()
  const text = [
    createHash('sha256').update(raw.body).digest('hex'),
    raw.headers['epistula-uuid'],
    raw.headers['epistula-timestamp'],
    '',
  ].join('.')
  const signature = Buffer.from(String(raw.headers['epistula-request-signature']).slice(2), 'hex')
  expect(verify(Buffer.from(text), signature, rig.deps.signer.publicKey)).toBe(true)
  await validator.stop()
})

test('sends withheld scores to the hub only after the weights made from them', async () => {
  const miner = await startFakeMiner({ models: [MODEL] })
  open.push(miner)
  const hub = await startHub(() => '["",200]')
  const rig = await createRig([miner], { 'hub.url': hub.url, 'hub.withhold-scores': true })
  open.push(rig)
  const validator = await rig.start()
  await hub.posted(({ path }) => path === '/')
  rig.chain.grow(121)
  await rig.logged(({ event }) => event === 'weights-set')
  const after = await hub.posted(({ path, body }) => path === '/' && Object.keys(body.scores).length > 0)
  const before = hub.posts.filter(({ path }) => path === '/').slice(0, hub.posts.indexOf(after))
  expect(before.length).toBeGreaterThan(0)
  await validator.stop()
})

test.each(['silent', 'garbage', 'refuses'])(
  'a hub that is %s changes no verdict and delays no round',
  async (kind) => {
    const miner = await startFakeMiner({ models: [MODEL] })
    open.push(miner)
    const hub = await startHub(() =>
      kind === 'silent' ? undefined : kind === 'garbage' ? '{"bucket_id": 7' : '',
    )
    const rig = await createRig([miner], { 'hub.url': kind === 'refuses' ? 'http://127.0.0.1:9' : hub.url })
    open.push(rig)
    const validator = await rig.start()
    rig.chain.grow(101)
    await rig.logged((line) => line.event === 'verdict' && line.verdict === 'verified')
    rig.chain.grow(121)
    await rig.logged(({ event }) => event === 'weights-set')
    const report = await validator.stop()
    expect(report.weightsSet).toBe(1)
  },
)
