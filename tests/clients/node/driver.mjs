// Does with the OpenFeature SDKs what each line of its input says, and answers in a line of JSON.
import readline from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature as Server } from '@openfeature/server-sdk';
import { OpenFeature as Web } from '@openfeature/web-sdk';
import { EventSource } from 'eventsource';

globalThis.EventSource = EventSource; // browsers have one, Node 20 has not

const kinds = { boolean: 'getBooleanDetails', string: 'getStringDetails', object: 'getObjectDetails' };
let client;

const acts = {
  async server({ url, timeoutMs }) {
    // This provider has no limit of its own: a hung server would cost the five minutes of fetch.
    const fetchImplementation = (asked) => fetch(asked, { signal: AbortSignal.timeout(timeoutMs) });
    await Server.setProviderAndWait(new OFREPProvider({ baseUrl: url, fetchImplementation }));
    client = Server.getClient();
  },
  async web({ url, timeoutMs, context }) {
    await Web.setContext(context ?? {});
    await Web.setProviderAndWait(new OFREPWebProvider({ baseUrl: url, timeoutMs, cacheMode: 'disabled' }));
    client = Web.getClient();
  },
  async evaluate({ kind, flag, otherwise, context }) {
    const started = performance.now();
    const found = await client[kinds[kind]](flag, otherwise, context);
    return { ...found, milliseconds: performance.now() - started };
  },
  async many({ url, flag, otherwise, lanes, count, milliseconds }) {
    await Server.setProviderAndWait('many', new OFREPProvider({ baseUrl: url })); // as patient as it comes
    const patient = Server.getClient('many');
    const wrong = [];
    const lane = async () => {
      for (let each = 0; each < count; each++) {
        const found = await patient.getBooleanDetails(flag, otherwise);
        if (found.errorCode || found.value === otherwise) wrong.push(found);
        await pause(milliseconds);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return { wrong };
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  try {
    console.log(JSON.stringify((await acts[asked.act](asked)) ?? {}));
  } catch (error) {
    console.log(JSON.stringify({ thrown: String(error) }));
  }
}
process.exit(0);
