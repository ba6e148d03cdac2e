import { setMaxListeners } from 'node:events'
import { FINNEY_GENESIS, type Metagraph } from '../../chain/index.js'
import type { ValidatorSettings } from '../../config/index.js'
import { createCleanupStack, lockHotkey, withDeadline } from '../../kernel/index.js'
import type { RunningRole } from '../role.js'
import type { ValidatorDeps } from './deps.js'
import { lockPathOf, type ValidatorReport } from './reports/index.js'
import { admitValidator, createSubnetView, isForbiddenAddress } from './subnet/index.js'
import { startWork, type Work } from './validator.js'

const FIRST_SYNC_TIMEOUT_MS = 120_000

/**
 * The validator: rounds of queries and the epoch task beside them, until `deps.signal` aborts. Streams under way are
 * then cut (which counts for nobody), the scores are saved, everything is closed in the opposite order of opening.
 *
 * @throws TargonError HOTKEY_NOT_REGISTERED, NO_VALIDATOR_PERMIT, CHAIN_UNREACHABLE (fault chain);
 * HOTKEY_IN_USE (fault hotkey-in-use), which may also end a running one;
 * PRIVATE_AXONS_ON_FINNEY, SCORE_FILE_PICKLE, SCORE_FILE_UNREADABLE, STATUS_PORT_IN_USE (fault usage)
 */
export async function startValidator(
  settings: ValidatorSettings,
  deps: ValidatorDeps,
): Promise<RunningRole<ValidatorReport>> {
  const { clock, log, signer } = deps
  const cleanup = createCleanupStack(clock, log)
  const life = new AbortController()
  let fatal: Error | undefined
  const fail = (error: Error) => {
    log.error({ event: 'validator-failed', err: error }, 'the validator must stop')
    fatal ??= error
    life.abort(error)
  }
  const signal = AbortSignal.any([deps.signal, life.signal])
  // Every answer under way listens; more than ten of them are no leak.
  setMaxListeners(0, signal)
  try {
    const lock = await lockHotkey({
      path: lockPathOf(deps.stateDir),
      use: `validates with hotkey ${signer.address}`,
      ...{ clock, log, signal },
    })
    cleanup.add('lock of the hotkey', () => lock.release())
    for (const { lost } of [lock, deps.weights]) lost.addEventListener('abort', () => fail(lost.reason))
    const view = await openView(settings, deps)
    const work = await startWork({ settings, deps, view, cleanup, fail }, signal)
    return { done: finish(work), statusUrl: work.statusUrl, healthy: work.healthy }
  } catch (error) {
    life.abort()
    await cleanup.closeAll()
    throw error
  }

  async function finish(work: Work): Promise<ValidatorReport> {
    try {
      const report = await work.done
      if (fatal) throw fatal
      return report
    } finally {
      life.abort()
      await cleanup.closeAll()
    }
  }
}

/** The first picture of the subnet and the first list of models, or no start at all. */
async function openView(settings: ValidatorSettings, deps: ValidatorDeps) {
  const { clock, log, signer, subtensor, models } = deps
  const metagraph = await withDeadline(
    clock,
    'the first sync',
    FIRST_SYNC_TIMEOUT_MS,
    deps.signal,
    async (signal): Promise<Metagraph> => {
      const [first] = await Promise.all([
        subtensor.metagraph(settings.netuid, signal),
        models.refresh(signal),
      ])
      return first
    },
  )
  const allowPrivateAxons = settings['allow-private-axons']
  const self = admitValidator(
    {
      metagraph,
      hotkey: signer.address,
      isTestnet: settings['is-testnet'],
      onFinney: subtensor.genesisHash === FINNEY_GENESIS,
      allowPrivateAxons,
    },
    log,
  )
  return createSubnetView({
    metagraph,
    self,
    wanted: models.current(),
    vpermitTaoLimit: settings['vpermit-tao-limit'],
    allowAddress: (ip) => allowPrivateAxons || !isForbiddenAddress(ip),
  })
}
