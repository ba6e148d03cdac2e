import { randomUUID } from 'node:crypto'
import { once as onceEmitted } from 'node:events'
import { createServer } from 'node:http'
import type { Axon } from '../../chain/index.js'
import { listModels } from '../../inference/index.js'
import { hasCode, messageOf, withDeadline } from '../../kernel/index.js'
import type { Check, MinerContext } from '../context.js'
import { factsOf } from '../facts.js'
import { fail, ok, type Seen, skip, warn } from '../finding.js'
import { type Address, addressToAnnounce, shown } from './axon.js'
import { readSelf } from './registration.js'

const DIAL_MS = 8000
const OPEN_PORT =
  'Open the port in the firewall and forward it to this machine. Where a router does not lead its own public address back, ask from another machine: targon query --list.'

/** Calls the advertised address as a validator does; while no miner runs, a server of this command answers in its place. */
export const selfDialCheck: Check<MinerContext> = {
  id: 'self-dial',
  title: 'the answer of the advertised address',
  run: async (context, signal) => {
    const self = await readSelf(context)
    if (!self) return [skip('Not checked, because the hotkey was not found: see registration.')]
    if (!(await factsOf(context).running())) {
      const address = (await addressToAnnounce(context, signal)) ?? self.axon
      if (!address) return [skip('Not checked, because the port is chosen at the start of the miner.')]
      return [await dialOwnServer(context, address, signal)]
    }
    if (!self.axon) return [skip('Not checked, because no address is announced on chain yet: see axon.')]
    return [await pingMiner(context, self.axon, signal)]
  },
}

/** A signed request to itself. A refusal for its stake comes after every other check of the caller, so it shows the miner too. */
async function pingMiner(context: MinerContext, axon: Axon, signal: AbortSignal): Promise<Seen> {
  const { clock } = context
  const signer = await factsOf(context).hotkey()
  if (!signer) return skip('Not checked, because the hotkey cannot be read: see wallet.')
  const address = shown(axon)
  const startedAt = clock.monotonic()
  const target = { hotkey: signer.address, url: urlOf(axon) }
  const answer = await listModels(target, { signer, clock, signal })
  const took = Math.round(clock.monotonic() - startedAt)
  if (answer.kind === 'models')
    return ok(`${address} answers a signed request in ${took} ms and serves ${answer.models.length} models.`)
  const { reason, status } = answer
  if (/Stake below minimum/.test(reason))
    return ok(`${address} answers a signed request in ${took} ms; it knows this hotkey.`)
  if (/not intended for self/.test(reason))
    return fail(
      `${address} answers, but it is a miner with another hotkey.`,
      'Correct --axon.external_ip and --axon.external_port, or the forwarding of the port.',
    )
  if (/too stale|from the future|too far in the future/.test(reason))
    return skip(`${address} answers, but the clocks differ: see clock.`)
  if (status === undefined) return fail(`${address} does not answer: ${reason}.`, OPEN_PORT)
  return fail(
    `${address} refuses a signed request: ${reason}.`,
    'Check that this address leads to the miner itself, and the clocks of both machines.',
  )
}

async function dialOwnServer(context: MinerContext, axon: Address, signal: AbortSignal): Promise<Seen> {
  const { settings, clock } = context
  const port = settings['axon.port']
  const address = shown(axon)
  if (port === 0) return skip('Not checked: the miner does not run, and its port is chosen at its start.')
  const nonce = randomUUID()
  const server = createServer((_, response) => response.end(nonce))
  try {
    server.listen(port, settings['axon.ip'])
    await onceEmitted(server, 'listening', { signal })
  } catch (error) {
    signal.throwIfAborted()
    if (hasCode(error, 'EADDRINUSE'))
      return fail(
        `Port ${port} is in use, but no miner answers on --metrics.port ${settings['metrics.port']}.`,
        'Stop what listens there, or set --metrics.port to that of the running miner.',
      )
    return fail(`Port ${port} cannot be opened: ${messageOf(error)}.`, 'Choose another one with --axon.port.')
  }
  try {
    const text = await withDeadline(clock, `calling ${address}`, DIAL_MS, signal, async (own) =>
      (await fetch(urlOf(axon), { signal: own, redirect: 'manual' })).text(),
    )
    return text === nonce
      ? ok(`${address} leads to port ${port} of this machine; the miner does not run now.`)
      : warn(
          `${address} answers, but not from port ${port} of this machine, and no miner runs here.`,
          'Run doctor on the machine of the miner, or correct the forwarding of the port.',
        )
  } catch (error) {
    signal.throwIfAborted()
    return fail(`${address} does not lead to port ${port} of this machine: ${causeOf(error)}.`, OPEN_PORT)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

function urlOf(axon: Address): string {
  return `http://${shown(axon)}`
}

/** fetch hides the reason of a failed connection in its cause. */
function causeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error
  return messageOf(inner).replace(/\.$/, '')
}
