import {
  askPassword,
  BaseCommand,
  flagsOf,
  type Invocation,
  ownSurroundings,
  runRole,
  type SurroundingNetwork,
} from '../../cli/index.js'
import { isGiven, passwordVariables } from '../../config/index.js'

const DAY_MS = 86_400_000

export default class HubStart extends BaseCommand {
  static override summary = 'Answer users’ requests by the miners of the subnet'

  static override description =
    'Serves the API of OpenAI to users with a key (`targon hub keys create`), asks the miners of the subnet with the hotkey of this hub, and hands validators what was asked and answered. docs/hub.md describes it.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --wallet.name mine --wallet.hotkey h1',
    '<%= config.bin %> <%= command.id %> --mock',
    '<%= config.bin %> <%= command.id %> --hub.ip 0.0.0.0 --hub.tls-cert chain.pem --hub.tls-key key.pem',
  ]

  static override usage = 'hub start [FLAGS]'

  static override flags = flagsOf('hub')

  async run(): Promise<unknown> {
    const loadNetwork = async () => (await import('../../localnet/index.js')).startNetworkAround
    return this.runNeuron('hub', loadNetwork, (...given) => this.#serve(...given))
  }

  async #serve(
    { settings, resolved, warnings, onWarned }: Invocation<'hub'>,
    network?: SurroundingNetwork,
  ): Promise<unknown> {
    const { connectNeuronChain, isUnattended, loadNeuronHotkey, openSelfUpdate, ROLE_FIRST_CONNECT_MS } =
      await import('../../roles/index.js')
    const signer = await loadNeuronHotkey(settings, { variables: passwordVariables(), prompt: askPassword })
    const { accountsPlace, openAccounts } = await import('../../accounts/index.js')
    const { startHub } = await import('../../roles/hub/index.js')
    const { createMetrics } = await import('../../telemetry/index.js')
    return runRole({
      ...{ role: 'hub', settings, hotkey: signer.address, warnings, onWarned },
      ...(network ? { death: network.death } : {}),
      start: async (context) => {
        const { clock, log, stateDir, droppedLines } = context
        const metrics = createMetrics('hub', {
          droppedLines,
          ownProcess: true,
          genAi: settings['metrics.genai'],
        })
        const onCheck = (result: string) => metrics.updateChecks.inc({ result })
        const updates = openSelfUpdate(settings, signer.address, ownSurroundings(), { ...context, onCheck })
        const patient = { ...context, firstConnectMs: ROLE_FIRST_CONNECT_MS }
        const subtensor = await connectNeuronChain(settings, isGiven(resolved, 'subtensor.network'), patient)
        const place = accountsPlace({ url: settings['database.url'], stateDir })
        const usageRetentionMs = settings['hub.usage-retention'] * DAY_MS
        const accounts = openAccounts({ place, clock, log, usageRetentionMs })
        try {
          const running = await startHub(settings, {
            ...{ ...context, signer, subtensor, accounts, metrics },
            ...(isUnattended('hub', settings) ? { updates } : {}),
          })
          if (isUnattended('hub', settings)) updates.checkHourly(running.unavailableReason)
          updates.confirmWhen(running.healthy)
          return { ...running, done: running.done.finally(() => subtensor.close()) }
        } catch (error) {
          await subtensor.close()
          throw error
        }
      },
    })
  }
}
