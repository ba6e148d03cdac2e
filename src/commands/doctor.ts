import { Args } from '@oclif/core'
import {
  askPassword,
  BaseCommand,
  EXIT_STATUS,
  flagsOf,
  type Invocation,
  openQuietLog,
  ownSurroundings,
  runUntilStopped,
  stateFolderOf,
} from '../cli/index.js'
import { isGiven, passwordVariables, type RoleSettings, settings as table } from '../config/index.js'
import type { Context, Finding } from '../doctor/index.js'
import { systemClock, TargonError } from '../kernel/index.js'

const NODES = ['miner', 'validator', 'hub'] as const
type Neuron = (typeof NODES)[number]
type Doctor = typeof import('../doctor/index.js')

interface Diagnosis {
  readonly role: Neuron | null
  /** Whether nothing has to be mended. */
  readonly healthy: boolean
  readonly findings: readonly Finding[]
}

export default class DoctorCommand extends BaseCommand {
  static override summary = 'Check everything a miner, validator or hub depends on, and say what to do'

  static override description =
    'Looks at this machine, the settings, wallet, chain, registration and public address; of a miner at its model servers, of a validator at its reference engines, Docker, GPUs and database, of a hub at miners, its port and certificate, the keys and the kept requests. All checks run side by side, each with a deadline. Changes nothing on disk or chain. Without a role, the settings decide it. Status 0: nothing has to be mended (warnings allowed); 1: something has.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> miner --model-endpoint http://127.0.0.1:8000/v1',
    '<%= config.bin %> <%= command.id %> validator --json',
    '<%= config.bin %> <%= command.id %> hub --wallet.name mine --wallet.hotkey h1',
  ]

  static override usage = 'doctor [miner|validator|hub] [--json] [FLAGS]'

  static override args = {
    role: Args.string({ description: 'miner, validator or hub.', options: [...NODES] }),
  }

  static override flags = { ...flagsOf('miner'), ...flagsOf('validator'), ...flagsOf('hub') }

  async run(): Promise<unknown> {
    return await runUntilStopped<unknown>({ exitWithStdin: false }, async (signal) => {
      const doctor = await import('../doctor/index.js')
      if (this.argv.includes('--print-config'))
        return await this.runWith((await this.#readRole(doctor)) ?? 'miner', async () => undefined)
      const diagnosis = await this.#diagnose(doctor, signal)
      this.log(`\n${doctor.summarize(diagnosis.findings)}`)
      if (!diagnosis.healthy) process.exitCode = EXIT_STATUS.runtime
      return diagnosis
    })
  }

  async #diagnose(doctor: Doctor, signal: AbortSignal): Promise<Diagnosis> {
    const print = (findings: readonly Finding[]) => {
      for (const finding of findings) this.log(doctor.writeFinding(finding))
    }
    const { node, env } = ownSurroundings()
    const machine = doctor.ownMachine(node.version, env.PATH ?? '')
    const examined = (role: Neuron | null, findings: readonly Finding[]): Diagnosis => {
      return { role, healthy: doctor.isHealthy(findings), findings }
    }
    let role: Neuron | undefined
    try {
      role = await this.#readRole(doctor)
      const common = { machine, signal }
      if (role === 'miner') {
        const context = await this.#openContext(doctor, 'miner', common)
        return examined(role, await doctor.examine(doctor.minerChecks, context, print))
      }
      if (role === 'hub') {
        const context = await this.#openContext(doctor, 'hub', common)
        return examined(role, await doctor.examine(doctor.hubChecks, context, print))
      }
      const context = await this.#openContext(doctor, 'validator', common)
      if (role === 'validator')
        return examined(role, await doctor.examine(doctor.validatorChecks, context, print))
      this.logToStderr(
        'The settings do not tell whether this is a miner, a validator or a hub, so only what all need is checked: targon doctor miner, validator or hub checks the rest.',
      )
      const rest = { ...context, stateDir: undefined }
      return examined(null, await doctor.examine(doctor.commonChecks, rest, print))
    } catch (error) {
      if (!isSettingsError(error)) throw error
      const unread: Finding = { check: 'settings', ...doctor.failure(error) }
      print([unread])
      const context = { machine, clock: systemClock, signal }
      const rest = await doctor.examine(doctor.machineChecks, context, print)
      this.log('Everything else was not checked, because it needs the settings.')
      return examined(role ?? null, [unread, ...rest])
    }
  }

  /** The role given, or the one that the settings are made for. */
  async #readRole({ configuredRole }: Doctor): Promise<Neuron | undefined> {
    const { args } = await this.readInvocation('update')
    const named = NODES.find((role) => role === args.role)
    if (named !== undefined) return named
    const originsOf = async (role: Neuron) => (await this.readInvocation(role)).resolved.origins
    const [miner, validator, hub] = [
      await originsOf('miner'),
      await originsOf('validator'),
      await originsOf('hub'),
    ]
    return configuredRole({ miner, validator, hub }, table)
  }

  async #openContext<R extends Neuron>(
    doctor: Doctor,
    role: R,
    { machine, signal }: Pick<Context, 'machine' | 'signal'>,
  ): Promise<Context<RoleSettings[R]>> {
    const invocation: Invocation<R> = await this.readInvocation(role)
    const { settings, resolved, warnings } = invocation
    // Where the files of models are, which miners and hubs do not read.
    const files = (await this.readInvocation(role === 'validator' ? 'validator' : 'miner check')).settings
    // They are findings.
    invocation.onWarned()
    const { loadNeuronHotkey } = await import('../roles/index.js')
    const prompt = this.jsonEnabled() ? undefined : (question: string) => askPassword(question, signal)
    const loadHotkey = doctor.once(() =>
      loadNeuronHotkey(settings, { variables: passwordVariables(), prompt }),
    )
    // A password is asked for before anything is printed; what fails is a finding.
    await loadHotkey().catch(() => {})
    return {
      settings,
      reading: {
        warnings,
        shadowed: resolved.shadowed,
        given: Object.values(resolved.origins).filter(({ kind }) => kind !== 'default').length,
        isNetworkGiven: isGiven(resolved, 'subtensor.network'),
      },
      stateDir: stateFolderOf(settings, role),
      modelFiles: {
        hubUrl: files['engine.hub-url'],
        hubToken: files['engine.hub-token'],
        modelDir: files['engine.model-dir'],
      },
      loadHotkey,
      machine,
      surroundings: ownSurroundings(),
      clock: systemClock,
      log: await openQuietLog(role, settings),
      signal,
    }
  }
}

/** A setting that cannot be read; a mistake in the command line itself stays an error of usage. */
function isSettingsError(error: unknown): error is TargonError {
  return (
    error instanceof TargonError && (error.code.startsWith('CONFIG_') || error.code === 'STATE_FOLDER_NAME')
  )
}
