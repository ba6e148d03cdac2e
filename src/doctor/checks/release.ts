import {
  currentRelease,
  isNewer,
  newestTag,
  openUpdate,
  pinnedSigners,
  readState,
  type UpdateContext,
} from '../../autoupdate/index.js'
import type { HubSettings, MinerSettings, ValidatorSettings } from '../../config/index.js'
import { messageOf } from '../../kernel/index.js'
import { isUnattended, type ServerRole } from '../../roles/index.js'
import type { Check, Context } from '../context.js'
import { factsOf } from '../facts.js'
import { ok, type Seen, skip, warn } from '../finding.js'

type NeuronContext = Context<MinerSettings> | Context<ValidatorSettings> | Context<HubSettings>

/** The keys that releases are checked with, the release on probation, and a newer one. */
export function releaseCheck<C extends NeuronContext>(role: ServerRole): Check<C> {
  return {
    id: 'release',
    title: 'the answer of the update source',
    deadlineMs: 45_000,
    run: async (context, signal) => {
      const isAutomatic = isUnattended(role, context.settings)
      const updates = openUpdates(context, signal)
      const installed = (await currentRelease(updates.layout)) ?? updates.runningVersion
      if (context.settings['update.source'] === 'npm')
        return [ok(`Release ${installed}; newer ones are installed by hand, with npm.`)]
      const found = [
        ...(await signerFindings(updates, isAutomatic)),
        ...(await stateFindings(updates)),
        ...(await newerFindings(updates, installed, isAutomatic, signal)),
      ]
      if (found.length > 0) return found
      const how = isAutomatic ? 'it updates itself' : 'it is updated by hand'
      return [ok(`Release ${installed}; ${how}.`)]
    },
  }
}

function openUpdates({ settings, surroundings, clock }: Context, signal: AbortSignal): UpdateContext {
  return openUpdate(settings, { ...surroundings, clock, signal, onProgress: () => {} })
}

async function signerFindings(updates: UpdateContext, isAutomatic: boolean): Promise<Seen[]> {
  try {
    await pinnedSigners(updates)
    return []
  } catch (error) {
    // Whoever updates by hand and pins no file is told when updating.
    if (!isAutomatic && updates.signersFile === undefined) return []
    return [
      warn(
        `No update can be verified: ${messageOf(error)}`,
        'Pin the maintainers’ key (docs/updates.md), or turn updates off with --autoupdate-off.',
      ),
    ]
  }
}

async function stateFindings(updates: UpdateContext): Promise<Seen[]> {
  const state = await readState(updates.layout)
  if (state.state !== 'probation') return []
  return [
    warn(
      `Release ${state.to} is on probation after ${state.attempts} starts; the launcher goes back to ${state.from ?? 'the checkout'} unless it becomes healthy.`,
      'Wait for it, and read the log if it does not.',
    ),
  ]
}

async function newerFindings(
  updates: UpdateContext,
  installed: string,
  isAutomatic: boolean,
  signal: AbortSignal,
): Promise<Seen[]> {
  try {
    const newest = await newestTag(updates)
    if (newest === undefined || !isNewer(newest, installed)) return []
    return [warn(`Release ${newest} is available; ${installed} is installed.`, 'Run targon update.')]
  } catch (error) {
    signal.throwIfAborted()
    if (!isAutomatic) return []
    return [
      warn(
        `The update source cannot be read: ${messageOf(error)}`,
        'Check --update.url and the network, or turn updates off with --autoupdate-off.',
      ),
    ]
  }
}

/** Whether the running neuron can restart into a new release. */
export function supervisorCheck<C extends NeuronContext>(role: ServerRole): Check<C> {
  return {
    id: 'supervisor',
    title: 'the status of the running neuron',
    run: async (context) => {
      const running = await factsOf(context).running()
      if (running === undefined) return [skip(`The ${role} does not run on this machine now.`)]
      const port = context.settings['metrics.port']
      if (running.role !== role)
        return [
          warn(
            `A ${running.role} runs on --metrics.port ${port}, not a ${role}.`,
            'Give each neuron a --metrics.port of its own.',
          ),
        ]
      const signer = await factsOf(context).hotkey()
      if (signer && running.hotkey !== signer.address)
        return [
          warn(
            `The running ${role} uses another hotkey, ${running.hotkey}.`,
            'Restart it, or run doctor with the settings that it was started with.',
          ),
        ]
      if (running.launched) return [ok(`The ${role} runs under the launcher.`)]
      if (running.launched === undefined || !isUnattended(role, context.settings))
        return [ok(`The ${role} runs; it does not update itself.`)]
      return [
        warn(
          `The ${role} runs without the launcher: updates that it downloads are neither started nor rolled back.`,
          'Start it with deploy/launcher.mjs, or set --autoupdate-off.',
        ),
      ]
    },
  }
}
