CREATE TABLE IF NOT EXISTS "__EFMigrationsHistory" (
    "MigrationId" TEXT NOT NULL CONSTRAINT "PK___EFMigrationsHistory" PRIMARY KEY,
    "ProductVersion" TEXT NOT NULL
);

CREATE TABLE "agent_versions" (
    "agent_id" BLOB NOT NULL,
    "version" INTEGER NOT NULL,
    "content_hash" TEXT NOT NULL,
    "created_at" INTEGER NOT NULL,
    CONSTRAINT "PK_agent_versions" PRIMARY KEY ("agent_id", "version")
);

CREATE TABLE "agents" (
    "id" BLOB NOT NULL CONSTRAINT "PK_agents" PRIMARY KEY,
    "tenant_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "content_hash" TEXT NOT NULL,
    "env" TEXT NULL,
    "created_at" INTEGER NOT NULL,
    "updated_at" INTEGER NOT NULL
);

CREATE TABLE "api_keys" (
    "id" BLOB NOT NULL CONSTRAINT "PK_api_keys" PRIMARY KEY,
    "tenant_id" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "key_hash" TEXT NOT NULL,
    "created_at" INTEGER NOT NULL
);

CREATE TABLE "events" (
    "id" INTEGER NOT NULL CONSTRAINT "PK_events" PRIMARY KEY AUTOINCREMENT,
    "session_id" BLOB NOT NULL,
    "seq" INTEGER NOT NULL,
    "turn_id" BLOB NULL,
    "type" TEXT NOT NULL,
    "at" INTEGER NOT NULL,
    "is_partial" INTEGER NOT NULL,
    "payload" BLOB NULL
);

CREATE TABLE "idempotency_keys" (
    "tenant_id" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "body_hash" BLOB NOT NULL,
    "target_id" BLOB NOT NULL,
    "created_at" INTEGER NOT NULL,
    CONSTRAINT "PK_idempotency_keys" PRIMARY KEY ("scope", "tenant_id", "key")
);

CREATE TABLE "sandboxes" (
    "id" TEXT NOT NULL CONSTRAINT "PK_sandboxes" PRIMARY KEY,
    "session_id" BLOB NOT NULL,
    "state" TEXT NOT NULL,
    "uid" INTEGER NOT NULL,
    "token_hash" BLOB NOT NULL,
    "last_frame" INTEGER NOT NULL,
    "cli_process" INTEGER NOT NULL,
    "launcher_pid" INTEGER NOT NULL,
    "launcher_start" INTEGER NOT NULL,
    "bridge_pid" INTEGER NOT NULL,
    "bridge_start" INTEGER NOT NULL,
    "boot_id" TEXT NULL,
    "created_at" INTEGER NOT NULL
);

CREATE TABLE "sessions" (
    "id" BLOB NOT NULL CONSTRAINT "PK_sessions" PRIMARY KEY,
    "tenant_id" TEXT NOT NULL,
    "agent_id" BLOB NOT NULL,
    "agent_name" TEXT NOT NULL,
    "agent_version" INTEGER NOT NULL,
    "content_hash" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "parent_session_id" BLOB NULL,
    "workspace_id" BLOB NULL,
    "uid" INTEGER NULL,
    "cli_session_id" BLOB NOT NULL,
    "cleared_at_turn" BLOB NULL,
    "model" TEXT NULL,
    "system_prompt" TEXT NULL,
    "permission_mode" TEXT NOT NULL,
    "extra_env" TEXT NULL,
    "isolation" TEXT NOT NULL,
    "created_at" INTEGER NOT NULL,
    "last_active_at" INTEGER NOT NULL,
    "ended_at" INTEGER NULL
);

CREATE TABLE "turns" (
    "id" BLOB NOT NULL CONSTRAINT "PK_turns" PRIMARY KEY,
    "session_id" BLOB NOT NULL,
    "status" TEXT NOT NULL,
    "message_seq" INTEGER NOT NULL,
    "started_seq" INTEGER NULL,
    "completed_seq" INTEGER NULL,
    "model" TEXT NULL,
    "model_called_at" INTEGER NULL,
    "reason" TEXT NULL,
    "code" TEXT NULL,
    "retryable" INTEGER NOT NULL,
    "result" TEXT NULL,
    "usage" TEXT NULL,
    "created_at" INTEGER NOT NULL,
    "ended_at" INTEGER NULL,
    "deltas_pruned_at" INTEGER NULL
);

CREATE INDEX "IX_agent_versions_content_hash" ON "agent_versions" ("content_hash");

CREATE UNIQUE INDEX "IX_agents_tenant_id_name" ON "agents" ("tenant_id", "name");

CREATE UNIQUE INDEX "IX_api_keys_key_hash" ON "api_keys" ("key_hash");

CREATE UNIQUE INDEX "IX_events_session_id_seq" ON "events" ("session_id", "seq");

CREATE INDEX "IX_idempotency_keys_created_at" ON "idempotency_keys" ("created_at");

CREATE INDEX "IX_idempotency_keys_target_id" ON "idempotency_keys" ("target_id");

CREATE INDEX "IX_sandboxes_session_id" ON "sandboxes" ("session_id");

CREATE INDEX "IX_sessions_agent_id" ON "sessions" ("agent_id");

CREATE INDEX "IX_sessions_ended_at" ON "sessions" ("ended_at") WHERE ended_at IS NOT NULL AND workspace_id IS NOT NULL;

CREATE INDEX "IX_sessions_tenant_id_created_at_id" ON "sessions" ("tenant_id", "created_at", "id");

CREATE UNIQUE INDEX "IX_sessions_uid" ON "sessions" ("uid");

CREATE INDEX "IX_turns_ended_at" ON "turns" ("ended_at") WHERE ended_at IS NOT NULL AND deltas_pruned_at IS NULL;

CREATE INDEX "IX_turns_open" ON "turns" ("session_id", "id") WHERE status <> 'Ended';

CREATE INDEX "IX_turns_session_id_id" ON "turns" ("session_id", "id");

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261124232653_Initial', '10.0.15');

CREATE INDEX "IX_sessions_starting" ON "sessions" ("status") WHERE status = 'Starting';

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261125021957_StartingSessions', '10.0.15');

ALTER TABLE "sandboxes" ADD "workspace_id" BLOB NULL;

CREATE INDEX "IX_sandboxes_uid" ON "sandboxes" ("uid");

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261125075458_WarmSandboxes', '10.0.15');

ALTER TABLE "turns" ADD "options" TEXT NULL;

ALTER TABLE "sessions" ADD "config" TEXT NULL;

ALTER TABLE "sessions" ADD "credential_id" BLOB NULL;

ALTER TABLE "sessions" ADD "exposes_credential" INTEGER NOT NULL DEFAULT 0;

ALTER TABLE "sandboxes" ADD "cli_flags" TEXT NULL;

ALTER TABLE "api_keys" ADD "expires_at" INTEGER NULL;

ALTER TABLE "api_keys" ADD "key_prefix" TEXT NULL;

ALTER TABLE "api_keys" ADD "last_used_at" INTEGER NULL;

ALTER TABLE "api_keys" ADD "scopes" TEXT NULL;

ALTER TABLE "agents" ADD "config" TEXT NULL;

ALTER TABLE "agents" ADD "last_prompt_number" INTEGER NOT NULL DEFAULT 0;

CREATE TABLE "attachments" (
    "id" BLOB NOT NULL CONSTRAINT "PK_attachments" PRIMARY KEY,
    "tenant_id" TEXT NOT NULL,
    "session_id" BLOB NOT NULL,
    "message_id" BLOB NULL,
    "filename" TEXT NOT NULL,
    "mime_type" TEXT NOT NULL,
    "size" INTEGER NOT NULL,
    "workspace_path" TEXT NULL,
    "created_at" INTEGER NOT NULL
);

CREATE TABLE "credentials" (
    "id" BLOB NOT NULL CONSTRAINT "PK_credentials" PRIMARY KEY,
    "tenant_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "nonce" BLOB NOT NULL,
    "sealed" BLOB NOT NULL,
    "created_at" INTEGER NOT NULL,
    "last_used_at" INTEGER NULL
);

CREATE TABLE "prompt_versions" (
    "id" BLOB NOT NULL CONSTRAINT "PK_prompt_versions" PRIMARY KEY,
    "agent_id" BLOB NOT NULL,
    "number" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "system_prompt" TEXT NULL,
    "release_notes" TEXT NULL,
    "is_active" INTEGER NOT NULL,
    "knowledge_files" TEXT NULL,
    "created_at" INTEGER NOT NULL,
    "updated_at" INTEGER NOT NULL
);

CREATE INDEX "IX_attachments_session_id_created_at" ON "attachments" ("session_id", "created_at");

CREATE INDEX "IX_credentials_tenant_id_created_at_id" ON "credentials" ("tenant_id", "created_at", "id");

CREATE UNIQUE INDEX "IX_prompt_versions_active" ON "prompt_versions" ("agent_id") WHERE is_active;

CREATE UNIQUE INDEX "IX_prompt_versions_agent_id_number" ON "prompt_versions" ("agent_id", "number");

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261130041526_ReferenceApi', '10.0.15');

CREATE TABLE "log_lines" (
    "session_id" BLOB NOT NULL,
    "number" INTEGER NOT NULL,
    "source" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "at" INTEGER NOT NULL,
    CONSTRAINT "PK_log_lines" PRIMARY KEY ("session_id", "number")
);

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261130065806_SandboxLog', '10.0.15');

ALTER TABLE "sessions" RENAME COLUMN "extra_env" TO "secrets";

UPDATE sessions SET secrets = '{"extraEnv":' || coalesce(secrets, 'null') || '}'
WHERE secrets IS NOT NULL OR config LIKE '%"mcpServers"%';

UPDATE sandboxes SET cli_flags = NULL WHERE cli_flags LIKE '%--mcp-config=%';

CREATE INDEX "IX_agents_sealed" ON "agents" ("id") WHERE env IS NOT NULL OR config IS NOT NULL;

CREATE INDEX "IX_sessions_sealed" ON "sessions" ("id") WHERE secrets IS NOT NULL;

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261130144837_SealedTexts', '10.0.15');

