import { setMaxListeners } from 'node:events'
import { FINNEY_GENESIS, type Metagraph } from '../../chain/index.js'
import type { ValidatorSettings } from '../../config/index.js'
import { createCleanupStack, isSpecialAddress, lockHotkey, withDeadline } from '../../kernel/index.js'
import { createMetrics } from '../../telemetry/index.js'
import type { RunningRole } from '../role.js'
import { type ValidatorReport, validatorLockPath } from './reports/index.js'
import { createSubnetView, requireRegistration, type SubnetView } from './subnet/index.js'
import { startServices, type ValidatorDeps } from './validator.js'

const FIRST_SYNC_TIMEOUT_MS = 120_000
const NO_ENGINE = { reason: 'no engine is configured for it', next: 'Set --engine.endpoints model=url.' }

/**
 * Starts a validator, which runs until `deps.signal` aborts: streaming answers are then cut without a verdict, the
 * scores saved, and everything closed in the reverse order of opening.
 *
 * @throws TargonError HOTKEY_NOT_REGISTERED, NO_VALIDATOR_PERMIT, CHAIN_UNREACHABLE (fault chain);
 * HOTKEY_IN_USE (fault hotkey-in-use), which may also end a running one;
 * PRIVATE_AXONS_ON_FINNEY, SCORE_FILE_PICKLE, SCORE_FILE_UNREADABLE, STATUS_PORT_IN_USE, SCRAPE_ADDRESS_UNUSABLE (fault usage)
 */
export async function startValidator(
  settings: ValidatorSettings,
  deps: ValidatorDeps,
): Promise<RunningRole<ValidatorReport>> {
  const { clock, log, signer } = deps
  const cleanup = createCleanupStack(clock, log)
  const ending = new AbortController()
  let fatal: Error | undefined
  const fail = (error: Error) => {
    log.error({ event: 'validator-failed', err: error }, 'stopping the validator after a fatal error')
    fatal ??= error
    ending.abort(error)
  }
  const close = async () => {
    ending.abort()
    await cleanup.closeAll()
  }
  const signal = AbortSignal.any([deps.signal, ending.signal])
  // Every open answer listens to it; more than ten listeners are not a leak.
  setMaxListeners(0, signal)
  try {
    const lock = await lockHotkey({
      path: validatorLockPath(deps.stateDir),
      use: `validates with hotkey ${signer.address}`,
      ...{ clock, log, signal },
    })
    cleanup.add('hotkey lock', () => lock.release())
    for (const { lost } of [lock, deps.weights]) lost.addEventListener('abort', () => fail(lost.reason))
    const view = await openView(settings, deps)
    const metrics = deps.metrics ?? createMetrics('validator')
    const { explainEngine = () => NO_ENGINE } = deps
    const context = { ...deps, signal, settings, metrics, fail, view, explainEngine }
    const services = await startServices(context, deps, cleanup)
    const finish = async () => {
      try {
        const report = await services.done
        if (fatal) throw fatal
        return report
      } finally {
        await close()
      }
    }
    return { done: finish(), statusUrl: services.statusUrl, healthy: services.healthy }
  } catch (error) {
    await close()
    throw error
  }
}

/** Reads the first metagraph and the first list of models; the validator does not start without them. */
async function openView(settings: ValidatorSettings, deps: ValidatorDeps): Promise<SubnetView> {
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
  const self = requireRegistration(
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
    allowAddress: (ip) => allowPrivateAxons || !isSpecialAddress(ip),
  })
}
