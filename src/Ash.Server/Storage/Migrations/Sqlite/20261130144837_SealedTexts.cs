using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Ash.Server.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class SealedTexts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.RenameColumn(
                name: "extra_env",
                table: "sessions",
                newName: "secrets");

            // One text of what is to be sealed, which the server does before it reads any.
            migrationBuilder.Sql(
                """
                UPDATE sessions SET secrets = '{"extraEnv":' || coalesce(secrets, 'null') || '}'
                WHERE secrets IS NOT NULL OR config LIKE '%"mcpServers"%';
                """);
            migrationBuilder.Sql("UPDATE sandboxes SET cli_flags = NULL WHERE cli_flags LIKE '%--mcp-config=%';");

            migrationBuilder.CreateIndex(
                name: "IX_agents_sealed",
                table: "agents",
                column: "id",
                filter: "env IS NOT NULL OR config IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_sessions_sealed",
                table: "sessions",
                column: "id",
                filter: "secrets IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_agents_sealed",
                table: "agents");

            migrationBuilder.DropIndex(
                name: "IX_sessions_sealed",
                table: "sessions");

            migrationBuilder.RenameColumn(
                name: "secrets",
                table: "sessions",
                newName: "extra_env");
        }
    }
}
