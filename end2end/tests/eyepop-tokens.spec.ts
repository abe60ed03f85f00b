import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '../support/test';

// The commands of EyePop's guide. Only the values in <> and the host are replaced.
const STORE = `
export EYEPOP_POP_ID=<my pop uuid>
export EYEPOP_SECRET_API_KEY=<my secret key>
`;
const GET_TOKEN = `
export TEMP_ACCESS_TOKEN=$(curl --silent --request POST \\
  --url 'https://api.eyepop.ai/authentication/token' \\
  --header 'accept: application/json' \\
  --header 'Content-Type: application/json' \\
  --data '{"secret_key": "'"$EYEPOP_SECRET_API_KEY"'" }' | jq -r '.access_token')
`;
const USE_TOKEN = `
curl -X 'GET' 'https://api.eyepop.ai/pops/'"$EYEPOP_POP_ID"'/config?auto_start=false' \\
  -H 'accept: application/json' \\
  -H 'Authorization: Bearer '"$TEMP_ACCESS_TOKEN"''
`;

test('EyePop tokens', async ({ page, site, keyward }) => {
  const config = { pop: 'people', version: 3, labels: ['person', 'bag'] };
  await keyward.setConfig(config);
  await site.signInOnPage();
  const secret = await site.create('Server to server');
  const project = await site.reveal.locator('#project-id').innerText();
  await site.closeReveal();

  const shell = async (script: string, environment: NodeJS.ProcessEnv = {}) => {
    const lines = script.replaceAll('https://api.eyepop.ai', keyward.url);
    const env = { PATH: process.env.PATH, ...environment };
    return (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', lines], { env })).stdout;
  };
  const store = STORE.replace('<my pop uuid>', project).replace('<my secret key>', secret);

  // All three steps in one terminal.
  expect(JSON.parse(await shell(store + GET_TOKEN + USE_TOKEN))).toEqual(config);

  // The third step, repeated with the token of the second step.
  const token = (await shell(`${store}${GET_TOKEN}printf %s "$TEMP_ACCESS_TOKEN"`)).trim();
  const third = async () => JSON.parse(await shell(USE_TOKEN, { EYEPOP_POP_ID: project, TEMP_ACCESS_TOKEN: token }));
  expect(await third()).toEqual(config);

  // The dialog shows the code of denied requests.
  await site.chooseAction('Deactivate', 'Server to server');
  const dialog = page.getByRole('dialog', { name: 'Deactivate “Server to server”?' });
  await expect(dialog.locator('code')).toHaveText('inactive');
  await dialog.getByRole('button', { name: 'Deactivate key' }).click();
  await expect(site.row('Server to server')).toContainText('Inactive');
  expect(await third()).toMatchObject({ status: 401, code: 'inactive' });
  const response = await fetch(`${keyward.url}/pops/${project}/config`, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(401);

  await site.chooseAction('Activate', 'Server to server');
  await expect(site.row('Server to server')).toContainText('Active');
  expect(await third()).toEqual(config);

  // The command line, while the server runs.
  const [key] = await keyward.keys();
  await keyward.run(['keys', 'deactivate', key.key_id]);
  expect(await third()).toMatchObject({ status: 401, code: 'inactive' });
  await page.reload();
  await site.ready();
  await expect(site.row('Server to server')).toContainText('Inactive');
});
