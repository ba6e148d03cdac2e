import { afterEach, describe, expect, it } from 'vitest'
import { hotkeyOf } from '../support/hotkeys.js'
import { aboutItem, startLyingEndpoint } from '../support/lying-endpoint.js'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet
afterEach(() => subnet.close())

/** A subnet of spec 475 with eight validators and eight miners; the first validator has the largest stake. */
async function startLargeSubnet(): Promise<Subnet> {
  const signers = await Promise.all(Array.from({ length: 16 }, (_, index) => hotkeyOf(index)))
  const made = await startSubnet({
    sealing: 'manual',
    specVersion: 475,
    tempo: 10,
    weightsSetRateLimit: 0,
    neurons: signers.map(({ publicKey }, uid) => ({
      ...{ hotkey: publicKey, coldkey: publicKey, validatorPermit: uid < 8 },
      stakeTao: uid < 8 ? 1000 - uid : 0,
    })),
  })
  mine(made, 12)
  return made
}

function mine({ dev }: Subnet, blocks: number): void {
  for (let made = 0; made < blocks; made++) dev.chain.produceBlock()
}

const events = () => subnet.log.lines.map(({ event }) => event)

describe('a chain that changes more than registrations do', () => {
  it('reads the columns of spec 461 and 475, and those that appear with an upgrade', async () => {
    subnet = await startSubnet({ specVersion: 461 })
    const chain = await subnet.connect()
    expect((await chain.metagraph(4)).neurons).toHaveLength(4)
    subnet.dev.upgrade(475)
    await expect.poll(() => chain.specVersion).toBe(475)
    expect((await chain.metagraph(4)).neurons.map(({ hotkey }) => hotkey)).toEqual(
      subnet.signers.map(({ address }) => address),
    )
  })

  it('accepts at once that the owner trimmed the subnet, with one endpoint', async () => {
    subnet = await startLargeSubnet()
    const chain = await subnet.connect()
    const { neurons } = await chain.metagraph(4)
    expect(neurons).toHaveLength(16)
    subnet.dev.trimUids(10)
    const trimmed = await chain.metagraph(4)
    expect(trimmed.neurons).toHaveLength(10)
    expect(events()).toContain('metagraph-explained')
    expect(events()).not.toContain('metagraph-rejected')
    const weights = { netuid: 4, uids: [8, 9], scores: [1, 0.5], versionKey: 404_010 }
    const setting = chain.setWeights(await hotkeyOf(0), weights)
    await expect.poll(() => subnet.dev.chain.pool.entries.length).toBe(1)
    mine(subnet, 1)
    expect(await setting).toMatchObject({ kind: 'set' })
  })

  it('accepts at once that Null consensus leaves one permit, and lets only its holder set weights', async () => {
    subnet = await startLargeSubnet()
    const chain = await subnet.connect()
    await chain.metagraph(4)
    subnet.dev.setConsensus('Null')
    mine(subnet, 12)
    const { neurons } = await chain.metagraph(4)
    expect(neurons.flatMap(({ uid, validatorPermit }) => (validatorPermit ? [uid] : []))).toEqual([0])
    expect(events()).not.toContain('metagraph-rejected')
    const weights = { netuid: 4, uids: [8, 9], scores: [1, 0.5], versionKey: 404_010 }
    expect(await chain.setWeights(await hotkeyOf(1), weights)).toMatchObject({
      refusal: { class: 'no-permit', name: 'NeuronNoValidatorPermit' },
    })
    const setting = chain.setWeights(await hotkeyOf(0), weights)
    await expect.poll(() => subnet.dev.chain.pool.entries.length).toBe(1)
    mine(subnet, 1)
    expect(await setting).toMatchObject({ kind: 'set' })
  })

  it('asks a second endpoint before it believes that a subnet was trimmed', async () => {
    subnet = await startLargeSubnet()
    const liar = await startLyingEndpoint(subnet.dev.url)
    const chain = await subnet.connect({ endpoints: [liar.url, subnet.dev.url] })
    await chain.metagraph(4)
    const small = await startLargeSubnet()
    small.dev.trimUids(10)
    // The liar shows another chain's subnet, with the limit that would explain it.
    liar.lies.set(
      'state_getStorage',
      aboutItem('MaxAllowedUids', () => '0x0a00'),
    )
    const answers = new Map<string, string>()
    liar.lies.set('state_call', (real, [method, input]) => answers.get(`${method} ${input}`) ?? real)
    const { result, input } = await selectiveMetagraph(small)
    answers.set(`${SELECTIVE} ${input}`, result)
    expect((await chain.metagraph(4)).neurons).toHaveLength(16)
    await expect.poll(() => chain.endpoint).toBe(subnet.dev.url)
    await small.close()
    await liar.close()
  })
})

const SELECTIVE = 'SubnetInfoRuntimeApi_get_selective_metagraph'

/** The answer of a chain to the client's own question, and that question. */
async function selectiveMetagraph(of: Subnet): Promise<{ input: string; result: string }> {
  const listener = await startLyingEndpoint(of.dev.url)
  const seen: { input: string; result: string }[] = []
  listener.lies.set('state_call', (result, [method, input]) => {
    if (method === SELECTIVE) seen.push({ input: String(input), result: String(result) })
    return result
  })
  const chain = await of.connect({ endpoints: [listener.url] })
  await chain.metagraph(4)
  await chain.close()
  await listener.close()
  const [found] = seen
  if (!found) throw new Error('the client asked for no metagraph')
  return found
}
