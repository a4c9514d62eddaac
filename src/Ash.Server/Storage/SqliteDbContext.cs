using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Storage;

internal sealed class SqliteDbContext(DbContextOptions<SqliteDbContext> options) : AshDbContext(options);
