using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Ash.Server.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class WarmSandboxes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<byte[]>(
                name: "workspace_id",
                table: "sandboxes",
                type: "BLOB",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "IX_sandboxes_uid",
                table: "sandboxes",
                column: "uid");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_sandboxes_uid",
                table: "sandboxes");

            migrationBuilder.DropColumn(
                name: "workspace_id",
                table: "sandboxes");
        }
    }
}
