"""The Slack app that a user makes of their own: its manifest, and what is done with it.

There is no app of skint's to install: presses would reach whoever runs it, and Slack limits the
reading of threads for apps that are given out (docs.slack.dev, rate limits).
"""

from __future__ import annotations

MANIFEST = """\
_metadata: {major_version: 1, minor_version: 1}
display_information:
  name: skint
  description: How training runs stand, what they cost, and buttons to stop them
  background_color: "#1f2937"
features:
  bot_user: {display_name: skint, always_online: false}
  app_home:
    messages_tab_enabled: true
    messages_tab_read_only_enabled: false
    home_tab_enabled: false
oauth_config:
  scopes:
    bot:
      - chat:write          # messages and edits
      - chat:write.public   # public channels without an invitation
      - files:write         # learning curves and grids of pictures
      - reactions:read      # where nothing can listen: reactions to a run's message
      - reactions:write     # a mark on what was read
      - channels:history    # replies in a thread; whether a message arrived
      - groups:history      # the same in a private channel
      - im:history          # the same in a direct message
      - incoming-webhook    # an address for words alone; leave it out if unwanted
settings:
  interactivity: {is_enabled: true}
  socket_mode_enabled: true
  org_deploy_enabled: false
  token_rotation_enabled: false
"""
"""With Socket Mode: presses come over a connection that this machine opens, so it needs no
address of its own."""

NEXT_STEPS = """\
1. https://api.slack.com/apps: Create New App, From a manifest, choose the workspace, paste this.
2. Install to Workspace. Then OAuth & Permissions: copy the Bot User OAuth Token.
       export SLACK_BOT_TOKEN=xoxb-…
3. For buttons: Basic Information, App-Level Tokens, Generate, with the scope connections:write.
       export SLACK_APP_TOKEN=xapp-…
4. In the channel type `/invite @skint`. Its ID stands at the bottom of About, under its name.
   Your member ID: your profile, ⋮, Copy member ID. In the plan:
       notify: {slack: {channel: C…, allow: [U…]}}
   Who is not under `allow` may press nothing; without `allow` nobody may.
5. skint slack test C…
   A scheduler that runs still has the old environment: `skint scheduler stop`.
"""

NEEDED = {
    "chat:write": "messages and edits",
    "files:write": "learning curves and grids of pictures",
}
"""Scope -> what it is for."""

ADVISED = {
    "channels:history": "a message of which it is not known whether it arrived may come twice",
}
"""Scope -> what is lost without it."""

FOR_POLLING = {
    "reactions:read": "reactions to a run's message are not seen",
    "reactions:write": "what was read is not marked",
}
"""The same where nothing can listen."""
